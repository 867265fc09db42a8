import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/** Whether the proxy so many hops away (0: whoever connected) may say for whom it asks. */
export type TrustProxy = (hop: number, address: string) => boolean;

export const trustNobody: TrustProxy = () => false;

export type ClientAddress = (request: Pick<IncomingMessage, "socket" | "headers">) => string;

/**
 * Who asks: whoever connected, or, of what trusted proxies have noted in X-Forwarded-For, the last one whom none of them
 * is. What stands left of that was written by the client, and counts for nothing.
 */
export function createClientAddress(isTrusted: TrustProxy): ClientAddress {
  return ({ socket, headers }) => {
    const forwarded = headers["x-forwarded-for"];
    const noted = (Array.isArray(forwarded) ? forwarded.join() : (forwarded ?? "")).split(",");
    let address = plain(socket.remoteAddress ?? "");
    for (let hop = 0; isTrusted(hop, address); hop += 1) {
      const before = plain(noted[noted.length - 1 - hop]?.trim() ?? "");
      if (isIP(before) === 0) break;
      address = before;
    }
    return address;
  };
}

/** Who rules over one address of a network of the sixth version rules over all 2^64 of them. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => text.split(":").filter((group) => group !== "");
  const [first, last] = [groups(head), groups(tail ?? "")];
  const gap = tail === undefined ? 0 : 8 - first.length - last.length;
  const all = [...first, ...Array<string>(Math.max(0, gap)).fill("0"), ...last];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

/** A port, brackets, a zone, and the sixth version's way of writing the fourth are left out. */
function plain(address: string): string {
  const bare =
    /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1] ?? address.replace(/^(\d+(?:\.\d+){3}):\d+$/, "$1");
  return bare.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}

/**
 * From the text of a setting: a number of proxies, or their addresses and subnets (CIDR), separated by commas. Undefined
 * for what is neither.
 */
export function parseTrustProxy(text: string): TrustProxy | undefined {
  if (/^\d{1,2}$/.test(text)) return (hop) => hop < Number(text);
  const trusted = new BlockList();
  for (const entry of text.split(",").map((part) => part.trim())) {
    const [address = "", bits, ...more] = entry.split("/");
    const version = isIP(address);
    const longest = version === 6 ? 128 : 32;
    if (version === 0 || more.length > 0) return undefined;
    if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > longest)) return undefined;
    trusted.addSubnet(address, Number(bits ?? longest), version === 6 ? "ipv6" : "ipv4");
  }
  return (_, address) => isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
