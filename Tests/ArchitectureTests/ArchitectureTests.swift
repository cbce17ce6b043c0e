// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

@Suite("Architecture", .ownThread)
struct ArchitectureTests {
  let manifest: Manifest
  let page: ArchitecturePage

  init() throws {
    manifest = try Manifest.ofThisPackage.get()
    page = ArchitecturePage(
      try String(
        contentsOf: Manifest.root.appending(path: "docs/Architecture.md"), encoding: .utf8),
      modules: Set(manifest.modules.map(\.name)))
  }

  @Test("The table of docs/Architecture.md lists the modules of the manifest and what each imports")
  func tableIsTheManifest() {
    #expect(Set(page.imports.keys) == Set(manifest.modules.map(\.name)))
    for module in manifest.modules {
      #expect(page.imports[module.name] == module.imports, "the imports of \(module.name)")
    }
  }

  @Test("The drawing has every module, and each imports only modules on lines below its own")
  func arrowsPointDown() {
    for module in manifest.modules {
      guard let line = page.lines[module.name] else {
        Issue.record("\(module.name) is not in the drawing")
        continue
      }
      for name in module.imports {
        #expect((page.lines[name] ?? .max) < line, "\(module.name) imports \(name)")
      }
    }
  }

  @Test("No file imports a module that its target does not list")
  func filesImportWhatTheirTargetLists() throws {
    var importCount = 0
    for target in manifest.targets {
      let folder = Manifest.root.appending(path: target.folder)
      for file in SourceFile.swiftFiles(under: folder) {
        for name in try SourceFile.importedModules(of: file) {
          importCount += 1
          let isAllowed = target.imports.contains(name) || SourceFile.platformModules.contains(name)
          #expect(isAllowed, "\(target.name)/\(file.lastPathComponent) imports \(name)")
        }
      }
    }
    #expect(importCount > 10)
  }

  @Test("Imports are found whatever stands before and behind them")
  func importsAreParsed() {
    let text = [
      "// import InAComment",
      "import Foundation",
      "public import ApusData  // why",
      "  @testable import ApusNumerics",
      "@preconcurrency package import struct ApusTraining.Graph",
      "let important = 1",
      "let script = \"\"\"",
      "  import InText",
      "  \"\"\"",
      "import CZlib",
    ].joined(separator: "\n")
    #expect(
      SourceFile.importedModules(in: text)
        == ["Foundation", "ApusData", "ApusNumerics", "ApusTraining", "CZlib"])
  }
}
