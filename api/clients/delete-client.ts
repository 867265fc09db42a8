import type { Audit } from "../../shared/audit/audit.ts";
import { AppError } from "../../shared/errors.ts";
import type { ClientStore } from "../../shared/ports/client-store.ts";
import type { ChangeUser } from "../users/change-user.ts";

export interface DeleteClientDeps {
  readonly clients: Pick<ClientStore, "findClient" | "deleteClient">;
  readonly deleteUser: ChangeUser;
  readonly audit: Audit;
}

/**
 * Deletes the user of the client's id, which cuts off its tokens, and then the client, so that a failure in between is
 * made good by doing it again. The event's id; null when the user was gone already. Throws `not-found`.
 */
export function createDeleteClient({ clients, deleteUser, audit }: DeleteClientDeps) {
  return async function deleteClient(id: string, actor: string): Promise<string | null> {
    if ((await clients.findClient(id)) === null) {
      throw new AppError("not-found", "There is no client of this id.");
    }
    const eventId = await cutOff(id, actor);
    await clients.deleteClient(id);
    audit.record({ action: "client.deleted", actor, object: id, eventId });
    return eventId;
  };

  async function cutOff(userId: string, actor: string): Promise<string | null> {
    try {
      return (await deleteUser({ userId, actor, reason: "the client was deleted" })).eventId;
    } catch (error) {
      if (error instanceof AppError && error.code === "not-found") return null;
      throw error;
    }
  }
}

export type DeleteClient = ReturnType<typeof createDeleteClient>;
