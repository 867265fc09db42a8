import { Socket } from "node:net";
import { expect } from "chai";
import { describe, it } from "mocha";
import {
  createClientAddress,
  networkOf,
  parseTrustProxy,
  trustNobody,
} from "../../../api/abuse/client-address.ts";

function addressOf(trust: string, peer: string, forwarded?: string): string {
  const socket = Object.defineProperty(new Socket(), "remoteAddress", { value: peer });
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return createClientAddress(parseTrustProxy(trust) ?? trustNobody)({ socket, headers });
}

describe("the client's address", () => {
  const cases: [trust: string, peer: string, forwarded: string | undefined, address: string][] = [
    ["0", "192.0.2.1", "198.51.100.1", "192.0.2.1"],
    ["0", "::ffff:192.0.2.1", undefined, "192.0.2.1"],
    ["1", "192.0.2.1", undefined, "192.0.2.1"],
    ["1", "192.0.2.1", "198.51.100.9, 198.51.100.1", "198.51.100.1"],
    ["2", "192.0.2.1", "203.0.113.5, 198.51.100.9, 198.51.100.1", "198.51.100.9"],
    ["5", "192.0.2.1", "198.51.100.1", "198.51.100.1"],
    ["1", "192.0.2.1", "198.51.100.1:4711", "198.51.100.1"],
    ["1", "192.0.2.1", "[2001:db8::1]:4711", "2001:db8::1"],
    ["1", "192.0.2.1", "unknown", "192.0.2.1"],
    ["1", "192.0.2.1", "198.51.100.1, ", "192.0.2.1"],
    ["192.0.2.1", "192.0.2.1", "203.0.113.5, 198.51.100.1", "198.51.100.1"],
    ["192.0.2.1,198.51.100.0/24", "192.0.2.1", "203.0.113.5, 198.51.100.1", "203.0.113.5"],
    ["192.0.2.1", "192.0.2.2", "198.51.100.1", "192.0.2.2"],
    ["::1/128", "::1", "fe80::1%eth0", "fe80::1"],
  ];
  for (const [trust, peer, forwarded, address] of cases) {
    it(`is ${address} of ${peer} that forwards for ${forwarded ?? "nobody"}, trusting ${trust}`, () => {
      expect(addressOf(trust, peer, forwarded)).to.equal(address);
    });
  }

  it("is not looked for with what is neither a number nor a list of addresses", () => {
    for (const text of [
      "",
      "-1",
      "true",
      "loopback",
      "10.0.0.0/33",
      "10.0.0.0/8/8",
      "10.0.0",
      "a,b",
      "::/129",
    ]) {
      expect(parseTrustProxy(text), text).to.equal(undefined);
    }
  });

  it("stands for its network of 2^64 where it is of the sixth version", () => {
    expect(networkOf("192.0.2.1")).to.equal("192.0.2.1");
    expect(networkOf("2001:db8:0:7:1:2:3:4")).to.equal("2001:db8:0:7::/64");
    expect(networkOf("2001:0DB8::7:1:2:3:4")).to.equal("2001:db8:0:7::/64");
    expect(networkOf("2001:db8::1")).to.equal("2001:db8:0:0::/64");
    expect(networkOf("::1")).to.equal("0:0:0:0::/64");
  });
});
