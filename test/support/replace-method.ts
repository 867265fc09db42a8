/** The port with one of its methods replaced. */
export function replaceMethod<T extends object, K extends keyof T>(port: T, name: K, method: T[K]): T {
  return new Proxy(port, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (key === name) return method;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
