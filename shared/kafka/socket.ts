import net from "node:net";
import tls from "node:tls";
import type { ISocketFactory } from "kafkajs";

/**
 * As the one of kafkajs, but without a warning of too many listeners: while a broker is away kafkajs adds one with
 * each attempt to a socket that has failed, and lets go of all of them when it is back.
 */
export const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const serverName = net.isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? tls.connect({ host, port, ...serverName, ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setMaxListeners(0);
  return socket;
};
