import { expect } from "chai";
import { describe, it } from "mocha";
import { adviceOn } from "../../../shared/connection-advice.ts";
import { createConnectionAdvisor } from "../../../shared/connection-advisor.ts";
import { type Dependency, dependencyUnavailable } from "../../../shared/errors.ts";
import { createRecordingLog } from "../../support/recording-log.ts";

type Fault = Readonly<Record<string, unknown>>;

const faultOf = (message: string, members: Fault = {}) => Object.assign(new Error(message), members);
const advice = (
  dependency: Dependency,
  error: unknown,
  facts: { isTls?: boolean; hasWorked?: boolean } = {},
) => adviceOn({ dependency, error, isTls: false, hasWorked: false, ...facts });

describe("advice on a connection that is refused", () => {
  const cases: readonly [Dependency, string, Error, RegExp, isTls?: boolean][] = [
    [
      "mongodb",
      "for an unknown authority",
      faultOf("self-signed certificate in certificate chain"),
      /tlsCAFile/,
    ],
    ["mongodb", "for a wrong password", faultOf("Authentication failed.", { code: 18 }), /authSource/],
    ["mongodb", "for a user without rights", faultOf("not authorized on quash", { code: 13 }), /readWrite/],
    ["mongodb", "for TLS where none is expected", faultOf("read ECONNRESET"), /tls=true/],
    ["redis", "for another name", faultOf("x", { code: "ERR_TLS_CERT_ALTNAME_INVALID" }), /another name/],
    ["redis", "for a certificate of the past", faultOf("x", { code: "CERT_HAS_EXPIRED" }), /clock/],
    ["redis", "for TLS where there is none", faultOf("connect ETIMEDOUT"), /redis:\/\/ instead/, true],
    [
      "kafka",
      "for a mechanism",
      faultOf("x", { type: "UNSUPPORTED_SASL_MECHANISM" }),
      /KAFKA_SASL_MECHANISM/,
    ],
    [
      "kafka",
      "for what lies deep in its causes",
      dependencyUnavailable(
        "kafka",
        faultOf("x", { errors: [faultOf("y", { type: "TOPIC_AUTHORIZATION_FAILED" })] }),
      ),
      /rights/,
    ],
  ];
  for (const [dependency, what, error, expected, isTls = false] of cases) {
    it(`is given: of ${dependency}, ${what}`, () => {
      expect(advice(dependency, error, { isTls })).to.match(expected);
    });
  }

  it("is not given for a server that is away, or goes away", () => {
    expect(advice("redis", faultOf("connect ECONNREFUSED", { code: "ECONNREFUSED" }))).to.equal(null);
    expect(advice("redis", faultOf("getaddrinfo ENOTFOUND", { code: "ENOTFOUND" }))).to.equal(null);
    expect(advice("redis", faultOf("read ECONNRESET"), { hasWorked: true })).to.equal(null);
    expect(advice("redis", faultOf("connect ETIMEDOUT"), { isTls: true, hasWorked: true })).to.equal(null);
    expect(advice("redis", undefined)).to.equal(null);
  });

  it("is written once until the connection has worked", () => {
    const log = createRecordingLog();
    const advisor = createConnectionAdvisor({ dependency: "redis", isTls: false }, log);
    advisor.failed(faultOf("WRONGPASS"));
    advisor.failed(faultOf("WRONGPASS"));
    expect(log.logged("redis.refused")).to.have.length(1);
    advisor.worked();
    advisor.failed(faultOf("WRONGPASS"));
    expect(log.logged("redis.refused")).to.have.length(2);
  });
});
