import { accessSync, constants, statSync } from "node:fs";
import * as path from "node:path";

/** Where the server is looked for. */
export interface Surroundings {
  /** The setting `adalint.path`, empty when it is not set. */
  readonly configured: string;
  /** The first workspace folder, which a relative path starts from. */
  readonly folder: string | undefined;
  readonly home: string;
  /** The folders of the search path, in order. */
  readonly searched: readonly string[];
  /** The interpreter that is selected in the Python extension. */
  readonly interpreter: string | undefined;
  readonly windows: boolean;
  /** Tell whether a path names a file that can be run. */
  readonly isProgram: (file: string) => boolean;
}

/** How the server is started. */
export interface Launch {
  readonly found: "setting" | "search path" | "interpreter";
  readonly program: string;
  readonly args: readonly string[];
}

/** Why there is no server to start. */
export interface Missing {
  readonly found: "nothing";
  /** What `adalint.path` names, when it is that which is not there. */
  readonly configured: string | undefined;
}

const SERVER = ["server", "--stdio"];

/** Find the server: what the setting names, else `adalint` on the search path, else adalint of the interpreter. */
export function find(where: Surroundings): Launch | Missing {
  const configured = where.configured.trim();
  if (configured !== "") {
    const program = named(configured, where);
    return where.isProgram(program)
      ? { found: "setting", program, args: SERVER }
      : { found: "nothing", configured: program };
  }
  const name = where.windows ? "adalint.exe" : "adalint";
  const paths = where.windows ? path.win32 : path.posix;
  // A relative folder on the search path would be one of the workspace: whatever lies there was never installed.
  const program = where.searched
    .filter((folder) => paths.isAbsolute(folder))
    .map((folder) => paths.join(folder, name))
    .find((file) => where.isProgram(file));
  if (program !== undefined) {
    return { found: "search path", program, args: SERVER };
  }
  if (where.interpreter !== undefined && where.isProgram(where.interpreter)) {
    return { found: "interpreter", program: where.interpreter, args: ["-m", "adalint", ...SERVER] };
  }
  return { found: "nothing", configured: undefined };
}

function named(configured: string, where: Surroundings): string {
  const paths = where.windows ? path.win32 : path.posix;
  const inFolder = configured.replace("${workspaceFolder}", where.folder ?? "${workspaceFolder}");
  if (/^~(?=[\\/])/.test(inFolder)) {
    return paths.join(where.home, inFolder.slice(2));
  }
  return where.folder === undefined ? inFolder : paths.resolve(where.folder, inFolder);
}

/** Split the search path of an environment. */
export function foldersOf(searchPath: string | undefined, windows: boolean): string[] {
  return (searchPath ?? "")
    .split(windows ? ";" : ":")
    .map((folder) => (windows ? folder.replace(/^"(.*)"$/, "$1") : folder))
    .filter((folder) => folder !== "");
}

/** Tell whether a path names a file that can be run. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
