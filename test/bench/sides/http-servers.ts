import { createServer, type RequestListener } from "node:http";
import { Router } from "@koa/router";
import express from "express";
import { expressjwt } from "express-jwt";
import { jwtVerify } from "jose";
import type { JwtPayload } from "jsonwebtoken";
import koaJwt from "koa-jwt";
import { createGuards, createPipeline } from "../../../api/app.ts";
import { createGuard } from "../../../api/middleware/guard.ts";
import { createRequireFresh } from "../../../api/middleware/require-fresh.ts";
import { createRequireToken } from "../../../api/middleware/require-token.ts";
import type { Middleware, RequestState } from "../../../api/request-state.ts";
import { AppError } from "../../../shared/errors.ts";
import { listen } from "../../../shared/listen.ts";
import { createProduct, type Product } from "./http-product.ts";
import { openRedis } from "./store.ts";

export interface ServerParams {
  readonly entries: number;
  readonly redisUrl: string;
  readonly namespace: string;
}

export interface RunningServer {
  readonly port: number;
  readonly tokens: readonly string[];
  /** Which must be refused, where the server checks tokens against revocations. */
  readonly revokedToken: string | undefined;
}

/** What every variant answers with, whoever asks. */
const answer = { id: "0b6f2f2e-5b0c-4e63-9d52-3f7f3c9d0a11", roles: ["user"], instance: "bench" };

const variants: Record<string, (product: Product, params: ServerParams) => RequestListener> = {
  quash: (product) =>
    inOurPipeline(product, createGuards({ ...product, noteRefusal: () => undefined }).bearer),
  withoutBlacklist: (product) =>
    inOurPipeline(product, [
      createGuard([createRequireFresh(product.feed), createRequireToken(product.tokens)]),
    ]),
  withoutAuthentication: (product) => inOurPipeline(product, []),
  jose: (product) => inOurPipeline(product, [createVerifyWithJose(product)]),
  koaJwt: (product, params) => {
    const isRevoked = createAskRedis(params);
    // It hands the key on to jsonwebtoken, which takes a `KeyObject`; its own types are older.
    const secret = product.publicKey as unknown as string;
    const options = { secret, algorithms: ["RS256"], issuer: product.issuer };
    const verify = koaJwt({ ...options, isRevoked: (_ctx, decoded) => isRevoked(jtiOf(decoded)) });
    return inOurPipeline(product, [refuseByTheirError, verify]);
  },
  expressJwt: (product, params) => {
    const isRevoked = createAskRedis(params);
    const app = express();
    app.disable("x-powered-by");
    const isTokenRevoked = (_request: unknown, token: { payload: JwtPayload | string } | undefined) =>
      isRevoked(jtiOf(token?.payload));
    app.use(
      expressjwt({
        secret: product.publicKey,
        algorithms: ["RS256"],
        issuer: product.issuer,
        isRevoked: isTokenRevoked,
      }),
    );
    app.get("/resource", (_request, response) => void response.json(answer));
    app.use((_error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
      response.status(401).end();
    });
    return app;
  },
};

export type VariantName = keyof typeof variants;

export async function startServer(variant: string, params: ServerParams): Promise<RunningServer> {
  const create = variants[variant];
  if (create === undefined) throw new Error(`no server ${variant}`);
  const product = await createProduct(params);
  const server = createServer(create(product, params));
  await listen(server, "127.0.0.1", 0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP server");
  const { tokens, revokedToken } = product.minted;
  const isChecked =
    variant !== "withoutAuthentication" && variant !== "withoutBlacklist" && variant !== "jose";
  return { port: address.port, tokens, revokedToken: isChecked ? revokedToken : undefined };
}

/** Request ids, measurements, security headers and error reports as in the product. */
function inOurPipeline(product: Product, guards: readonly Middleware[]): RequestListener {
  const router = new Router<RequestState>({ sensitive: true, strict: true });
  router.get("/resource", ...guards, (ctx) => {
    ctx.body = answer;
  });
  const handle = createPipeline(router, product).callback();
  return (request, response) => void handle(request, response);
}

/** Each request anew: the library has no cache. */
function createVerifyWithJose({ publicKey, issuer }: Product): Middleware {
  return async function verifyWithJose(ctx, next) {
    const token = ctx.get("authorization").slice("Bearer ".length);
    await jwtVerify(token, publicKey, { issuer, algorithms: ["RS256"], typ: "at+jwt" });
    await next();
  };
}

/** What the library throws is no error of ours: the pipeline would take it for a bug. */
async function refuseByTheirError(_ctx: unknown, next: () => Promise<unknown>): Promise<void> {
  try {
    await next();
  } catch (error) {
    throw new AppError("token-revoked", "The token is not accepted.", { cause: error });
  }
}

function jtiOf(decoded: unknown): string {
  return typeof decoded === "object" && decoded !== null && "jti" in decoded ? String(decoded.jti) : "";
}

function createAskRedis({ redisUrl, namespace }: ServerParams): (jti: string) => Promise<boolean> {
  const redis = openRedis(redisUrl, { enableAutoPipelining: true });
  return async (jti) => (await redis.exists(`${namespace}:revoked:${jti}`)) === 1;
}
