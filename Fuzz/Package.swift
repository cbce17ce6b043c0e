// swift-tools-version: 6.2
// Apus, federated learning in Swift. SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A package of its own, so that the sanitizers it is built with stay out of the other builds.
// `scripts/fuzz` builds and runs it.
let package = Package(
  name: "apus-fuzz",
  dependencies: [.package(name: "apus", path: "..")],
  targets: [
    .executableTarget(
      name: "apus-fuzz",
      dependencies: [
        .product(name: "Apus", package: "apus"),
        // For the transport, which is in no product of its own.
        .product(name: "ApusEdge", package: "apus"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
