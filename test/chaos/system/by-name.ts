/** One value for each name. */
export function byName<Name extends string, T>(
  names: readonly Name[],
  make: (name: Name, index: number) => T,
): Record<Name, T> {
  return Object.fromEntries(names.map((name, index) => [name, make(name, index)])) as Record<Name, T>;
}
