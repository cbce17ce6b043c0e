// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import Foundation

/// The command line.
@main
struct Apus: CommandProgram {
  static let title = "Apus: federated learning, simulated and served."

  /// Every command there is, in the order of help.
  static let commands: [any Command.Type] = [
    Simulate.self, SweepCommand.self, Reproduce.self, ReportCommand.self,
    DataList.self, DataShow.self, DataSplit.self,
    Serve.self, Drain.self, Invite.self,
    DeviceList.self, DeviceShow.self, DeviceDisable.self, DeviceEnable.self, DeviceRevoke.self,
    TaskRun.self, TaskCreate.self, TaskList.self, TaskShow.self, TaskWatching.self,
    TaskPause.self, TaskResume.self, TaskCancel.self, TaskWait.self,
    RoundLaunch.self, RoundList.self, RoundShow.self, RoundWatching.self,
    ModelList.self, ModelShow.self, ModelPull.self, ModelExport.self, ModelRollback.self,
    JoinCommand.self, StatusCommand.self, Doctor.self,
    CompletionsCommand.self, Help<Apus>.self, Version.self,
  ]

  static func main() async {
    Interruption.ignoreBrokenPipes()
    let environment = ProcessInfo.processInfo.environment
    let console = Console(
      output: Terminal(descriptor: STDOUT_FILENO, environment: environment),
      messages: Terminal(descriptor: STDERR_FILENO, environment: environment),
      environment: environment)
    let words = Array(ProcessInfo.processInfo.arguments.dropFirst())
    let status = await Dispatch(Apus.self, console: console).run(words)
    // Not exit(): threads of the transport may still be at work, and what OpenSSL and others clean up at
    // exit would be taken from under them. Results are written when they are printed.
    fflush(nil)
    _exit(status.rawValue)
  }
}
