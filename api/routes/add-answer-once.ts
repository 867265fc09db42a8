import type { Middleware } from "../request-state.ts";
import type { AppRouter, Guards } from "./router.ts";

const changing = ["POST", "PUT", "PATCH", "DELETE"];

/** Puts `answerOnce` in front of what each route does that changes something for the bearer of a token. */
export function addAnswerOnce(router: AppRouter, guards: Guards, answerOnce: Middleware): void {
  const all = new Set(Object.values(guards).flat());
  for (const { methods, stack } of router.stack) {
    const isGuarded = stack.some((one) => all.has(one));
    if (isGuarded && methods.some((method) => changing.includes(method)))
      stack.splice(stack.length - 1, 0, answerOnce);
  }
}
