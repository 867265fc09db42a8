import { type Answer, inject, type Request } from "./inject.ts";
import type { Member } from "./member.ts";
import type { World } from "./world.ts";

const usualPatienceMs = 20_000;

export interface RequestOptions {
  /** Called in the step in which the instance takes it in hand. */
  readonly onHandled?: () => void;
  readonly patienceMs?: number;
}

/** Sends a request to an instance; rejects when no answer comes. The client waits on no process's clock. */
export function sendRequest(
  world: World,
  { member, request, onHandled, patienceMs = usualPatienceMs }: RequestOptions & Sending,
): Promise<Answer> {
  const { scheduler, random } = world;
  const { process } = member;
  const { life } = process;
  return new Promise((resolve, reject) => {
    const delayMs = () => 0.2 + random.fraction() * 3;
    const giveUp = scheduler.after(patienceMs, () => reject(new Error("no answer")));
    const end = (how: () => void) => {
      giveUp();
      how();
    };
    const refuse = () => end(() => reject(new Error("connection refused")));
    const answer = (given: Answer) => {
      judgeWellFormed(world, request, given);
      if (process.isAlive(life)) scheduler.after(delayMs(), () => end(() => resolve(given)));
    };
    scheduler.after(delayMs(), () => {
      if (!process.isAlive(life)) return refuse();
      process.deliver(life, () => {
        const { instance } = member;
        if (instance === undefined) return refuse();
        onHandled?.();
        void inject(instance.handle, request).then(answer);
      });
    });
  });
}

interface Sending {
  readonly member: Member;
  readonly request: Request;
}

/** What the clients send is well-formed: a product that takes it for malformed would keep every promise by doing nothing. */
function judgeWellFormed(world: World, { method, path }: Request, { status, body }: Answer): void {
  if (status !== 400) return;
  const what = `${method} ${path} is answered with 400 ${String(body["detail"])}`;
  world.history.violate("I4", world.nowMs, what);
}
