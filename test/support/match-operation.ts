import { templateOf } from "../../api/openapi/create-document.ts";
import type { Operation } from "../../api/openapi/operation.ts";

/** The template of the operation that a call is for, as the OpenAPI document has it. */
export function matchOperation(operations: readonly Operation[], method: string, path: string) {
  const found = callableAs(operations, path).find((operation) => operation.method === method);
  return found && templateOf(found.path);
}

/** The operations at a path: those without parameters first, as `/users/me` before `/users/:id`. */
export function callableAs(operations: readonly Operation[], path: string): readonly Operation[] {
  const exact = operations.filter((operation) => operation.path === path);
  return [...exact, ...operations.filter((operation) => patternOf(operation.path).test(path))];
}

function patternOf(path: string): RegExp {
  const parts = path.split(/:\w+/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}
