// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation
import Testing

@testable import ApusTransport

@Suite("Certificates")
struct IdentityCertificateTests {
  @Test("An issued certificate says who holds it, what for and for how long")
  func issuedCertificateReadsBack() throws {
    let house = try Household(at: someTime)
    let identity = try house.identity(at: someTime)
    let name = try Certificate.identify(identity.certificate.der)
    #expect(name.federation == "birds")
    #expect(name.role == .device)
    #expect(name.id == Household.deviceID)
    #expect(name.fingerprint == identity.certificate.fingerprint)
    #expect(name.expires == someTime + 7 * 86_400)
    #expect(identity.certificate.notBefore == someTime - CertificateAuthority.clockMargin)
    #expect(identity.certificate.usages == [.client])
    #expect(!identity.certificate.isAuthority)
    #expect(house.authority.certificate.isAuthority)
  }

  @Test(
    "openssl verifies what we issue, and sees pathlen 0, key usage and names",
    .enabled(if: OpenSSLProgram.isThere))
  func opensslAgrees() throws {
    let house = try Household()
    let nest = try Nest()
    let hosts = ["hub.example.org", "192.0.2.7", "2001:db8::7"].compactMap { HostName($0) }
    let server = try house.identity(.server, hosts: hosts)
    let device = try house.identity()
    let ca = try nest.write(house.authority.certificate.pem, to: "ca.pem")
    let serverFile = try nest.write(server.certificate.pem, to: "server.pem")
    let deviceFile = try nest.write(device.certificate.pem, to: "device.pem")

    let good = try OpenSSLProgram.run(
      "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "hub.example.org",
      "-CAfile", ca, serverFile)
    #expect(good.status == 0, "\(good.text)")
    let address = try OpenSSLProgram.run(
      "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "2001:db8::7", "-CAfile", ca,
      serverFile)
    #expect(address.status == 0, "\(address.text)")
    let client = try OpenSSLProgram.run(
      "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", ca, deviceFile)
    #expect(client.status == 0, "\(client.text)")
    let wrongPurpose = try OpenSSLProgram.run(
      "verify", "-purpose", "sslserver", "-CAfile", ca, deviceFile)
    #expect(wrongPurpose.status != 0)
    let otherHost = try OpenSSLProgram.run(
      "verify", "-verify_hostname", "evil.example.org", "-CAfile", ca, serverFile)
    #expect(otherHost.status != 0)

    let text = try OpenSSLProgram.run("x509", "-noout", "-text", "-in", ca).text
    #expect(text.contains("CA:TRUE, pathlen:0"))
    #expect(text.contains("Certificate Sign, CRL Sign"))
    let deviceText = try OpenSSLProgram.run("x509", "-noout", "-text", "-in", deviceFile).text
    #expect(deviceText.contains("URI:apus://birds/device/\(Household.deviceID)"))
    #expect(deviceText.contains("CA:FALSE"))
    #expect(deviceText.contains("TLS Web Client Authentication"))
    #expect(!deviceText.contains("TLS Web Server Authentication"))
  }
}
