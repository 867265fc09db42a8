import { json, nothing, type Operation, text } from "../operation.ts";
import { explanation, health, openApiDocument, publicKeySet } from "../response-schemas.ts";

const notReady = {
  status: "unavailable",
  checks: {
    replica: {
      status: "unavailable",
      detail: "cold: the revocations are being loaded",
      since: "2026-03-01T12:00:00.000Z",
    },
  },
} as const;
const unchanged = nothing("As it was when If-None-Match was given out.", ["ETag", "Cache-Control"]);

export const serviceOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/.well-known/jwks.json",
    id: "getPublicKeys",
    tag: "Service",
    summary: "Shows the public keys that access tokens are verified with",
    caller: "anyone",
    answers: {
      200: json("A JWK Set (RFC 7517).", publicKeySet, {
        contentType: "application/jwk-set+json",
        headers: ["Cache-Control"],
      }),
    },
  },
  {
    method: "get",
    path: "/livez",
    id: "getLiveness",
    tag: "Service",
    summary: "Says that the process runs",
    caller: "anyone",
    answers: { 200: json("It does.", health, { example: { status: "ok", checks: {} } }) },
  },
  {
    method: "get",
    path: "/readyz",
    id: "getReadiness",
    tag: "Service",
    summary: "Says whether this instance should get traffic",
    caller: "anyone",
    answers: {
      200: json("It should.", health, { headers: ["Cache-Control"] }),
      503: json("It should not, and what is missing.", health, {
        headers: ["Cache-Control"],
        example: notReady,
      }),
    },
  },
  {
    method: "get",
    path: "/metrics",
    id: "getMetrics",
    tag: "Service",
    summary: "Shows the metrics of this instance",
    caller: "anyone",
    answers: {
      200: text("The text format of Prometheus.", "text/plain", {
        example: "# TYPE revocation_replica_entries gauge\nrevocation_replica_entries 12\n",
      }),
    },
  },
  {
    method: "get",
    path: "/problems/:slug",
    id: "explainProblem",
    tag: "Service",
    summary: "Explains a problem, with what to do about it",
    caller: "anyone",
    answers: { 200: json("What is behind it.", explanation) },
  },
  {
    method: "get",
    path: "/openapi.json",
    id: "getOpenApiDocument",
    tag: "Service",
    summary: "Describes this API for programs (OpenAPI 3.1)",
    caller: "anyone",
    requestHeaders: ["If-None-Match"],
    answers: {
      200: json("The description.", openApiDocument, { headers: ["ETag", "Cache-Control"] }),
      304: unchanged,
    },
  },
  {
    method: "get",
    path: "/docs",
    id: "getDocumentation",
    tag: "Service",
    summary: "Describes this API for people",
    caller: "anyone",
    requestHeaders: ["If-None-Match"],
    answers: {
      200: text("A page that loads nothing else.", "text/html", {
        headers: ["ETag", "Cache-Control", "Content-Security-Policy"],
        example: "<!doctype html>...",
      }),
      304: unchanged,
    },
  },
];
