import Testing
import Foundation
@testable import ApusSimulation
import ApusTraining
import ApusAlgorithms
import ApusModels
import ApusData
import ApusNumerics
@Test func dbg() throws {
  let recipe = try Recipe(contentsOf: "/work/main/Simulations/quickstart-fashion/recipe.json5", setting: ["data.set=digits","evaluate.clients=0","rounds=2","data.clients=10"])
  let run = try Run(of: recipe, recipeFile: "x", options: RunOptions(threads: 1, outputDirectory: NSTemporaryDirectory() + "dbg\(Int.random(in: 0..<1000000))"))
  let setup = try SimulationSetup(run)
  let v = setup.workers[0].trainer.initialParameters(seed: 1)
  print(v)
  let s = Server(model: v, state: NoState())
  print(s.model)
  let m = Measurement(team: setup.team, workers: setup.workers)
  let e = m.central(v, on: run.preparation.data.centralTest!)
  print(e, v)
  let session = try RunSession(FedAvg(localEpochs: 1, batchSize: 10, learningRate: 0.1), of: run)
  print(session.simulation.server.model)
}
