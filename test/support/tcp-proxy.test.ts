import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

describe("the proxy between a process and a server", () => {
  const server = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
  let proxy: TcpProxy;

  beforeEach(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not a TCP address");
    proxy = await startTcpProxy({ host: "127.0.0.1", port: address.port });
  });

  afterEach(async () => {
    await proxy.close();
    await new Promise((resolve) => server.close(resolve));
  });

  async function open(): Promise<Socket> {
    const socket = connect(proxy.port, "127.0.0.1")
      .setEncoding("utf8")
      .on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }

  async function echo(socket: Socket, text: string): Promise<string> {
    let heard = "";
    const whole = new Promise<void>((resolve) => {
      socket.on("data", (chunk: string) => {
        heard += chunk;
        if (heard.length >= text.length) resolve();
      });
    });
    for (const letter of text) socket.write(letter);
    await whole;
    return heard;
  }

  it("holds back what is sent, both ways", async () => {
    const socket = await open();
    proxy.delay(60);
    const startedAt = performance.now();
    expect(await echo(socket, "held back")).to.equal("held back");
    expect(performance.now() - startedAt).to.be.at.least(2 * 59);
  });

  it("resets what is open, and takes what comes next", async () => {
    const socket = await open();
    await echo(socket, "open");
    const failed = once(socket, "error");
    proxy.reset();
    const [error] = await failed;
    expect(error).to.have.property("code", "ECONNRESET");
    expect(await echo(await open(), "again")).to.equal("again");
  });

  it("lets nothing through while it stalls, and loses nothing", async () => {
    const socket = await open();
    proxy.stall();
    let isThrough = false;
    const echoed = echo(socket, "later").finally(() => (isThrough = true));
    const other = await open();
    expect(isThrough).to.equal(false);
    proxy.restore();
    expect(await echoed).to.equal("later");
    expect(await echo(other, "too")).to.equal("too");
  });
});
