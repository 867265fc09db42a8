import type { Link } from "./link.ts";

type Call = (...args: unknown[]) => Promise<unknown>;

/** What is told of each call that had its effect at the server, in the very step in which it had. */
export type OnEffect = (method: string, args: readonly unknown[], result: unknown) => void | Promise<void>;

/**
 * A port whose every method is a call over the link. `own` are methods that are no such call. The proxied type is
 * the port's: each of its methods takes the same arguments and answers with the same promise.
 */
export function overLink<T extends object>(
  port: T,
  link: Link,
  { own = {}, onEffect }: { readonly own?: Partial<T>; readonly onEffect?: OnEffect } = {},
): T {
  const methods = new Map<PropertyKey, unknown>(Object.entries(own));
  return new Proxy(port, {
    get(target, name) {
      const known = methods.get(name);
      if (known !== undefined) return known;
      const method: unknown = Reflect.get(target, name);
      if (!isCall(method)) return method;
      const call: Call = (...args) =>
        link.call(async () => {
          const result = await method(...args);
          await onEffect?.(String(name), args, result);
          return result;
        });
      methods.set(name, call);
      return call;
    },
  });
}

function isCall(value: unknown): value is Call {
  return typeof value === "function";
}
