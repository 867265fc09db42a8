type When = "before" | "after";
type Hook = () => Promise<unknown>;

/** Lets a test act once before or after the next call of a store's method: how a race is put in order. */
export function createHooks() {
  const waiting = new Map<string, Hook>();
  let always: Hook | undefined;

  async function run(when: When, method: string): Promise<void> {
    const hook = waiting.get(`${when} ${method}`);
    waiting.delete(`${when} ${method}`);
    await hook?.();
    await always?.();
  }

  return {
    /** Before and after each call from here on; undefined to end it. */
    always: (hook: Hook | undefined) => void (always = hook),
    once: (when: When, method: string, hook: Hook) => void waiting.set(`${when} ${method}`, hook),
    around<T extends object>(store: T): T {
      return new Proxy(store, {
        get(target, name) {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== "function") return method;
          return async (...given: unknown[]): Promise<unknown> => {
            await run("before", String(name));
            const result: unknown = await Reflect.apply(method, target, given);
            await run("after", String(name));
            return result;
          };
        },
      });
    },
  };
}
