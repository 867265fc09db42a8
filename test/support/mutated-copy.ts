import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** One deliberate fault in the product. */
export interface Mutation extends Edit {
  readonly name: string;
  /** What else it takes. */
  readonly also?: readonly Edit[];
}

/** `find` stands exactly once in `file` and is replaced. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export function editsOf({ file, find, replace, also = [] }: Mutation): readonly Edit[] {
  return [{ file, find, replace }, ...also];
}

export interface MutatedCopy {
  /** Runs like the project itself: it has the same sources, settings and modules. */
  readonly folder: string;
  remove(): Promise<void>;
}

const copied = ["api", "workers", "shared", "embedded", "test", "package.json", "tsconfig.json"];

/** A copy of the sources with the mutations in it, so that a check can show that it would notice them. */
export async function createMutatedCopy(mutations: readonly Mutation[]): Promise<MutatedCopy> {
  const project = resolve(import.meta.dirname, "../..");
  const folder = await mkdtemp(join(tmpdir(), "quash-mutated-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    for (const name of copied) await cp(join(project, name), join(folder, name), { recursive: true });
    await symlink(join(project, "node_modules"), join(folder, "node_modules"));
    for (const mutation of mutations)
      for (const edit of editsOf(mutation)) await apply(edit, { folder, name: mutation.name });
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function apply(
  { file, find, replace }: Edit,
  { folder, name }: { readonly folder: string; readonly name: string },
): Promise<void> {
  const path = join(folder, file);
  const source = await readFile(path, "utf8");
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`mutation ${name}: its text stands ${places} times in ${file}, not once`);
  await writeFile(
    path,
    source.replace(find, () => replace),
  );
}
