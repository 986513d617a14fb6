import type { Launch, Missing } from "./command";
import type { Ended } from "./server";

/** What a person copies into a terminal. */
export const INSTALL = "pip install 'adalint[lsp]'";

/** Say that there is no server to start, and what to do about it. */
export function missing(found: Missing): string {
  if (found.configured !== undefined) {
    return `The setting adalint.path names ${found.configured}, which is no program. Correct it, or remove it to have adalint looked for.`;
  }
  return (
    "adalint is not installed: it is not on the search path, no Python interpreter is selected, and adalint.path is not " +
    `set. Run ${INSTALL}, or set adalint.path.`
  );
}

/** Say why the server does not run, and what to do about it. */
export function failed(launch: Launch, ended: Ended): string {
  const command = [launch.program, ...launch.args].join(" ");
  if (ended.error !== undefined) {
    return `${command} cannot be started: ${ended.error}. Correct adalint.path, or run ${INSTALL}.`;
  }
  if (/No module named '?adalint/.test(ended.errors)) {
    return (
      `adalint is not installed for the selected interpreter, ${launch.program}, and not on the search path. ` +
      `Run ${INSTALL} there, or set adalint.path.`
    );
  }
  if (ended.errors.includes("No such command 'server'")) {
    return `${launch.program} is an adalint without a language server. Run pip install -U 'adalint[lsp]'.`;
  }
  const last = ended.errors.trim().split("\n").pop()?.trim() ?? "";
  const how = ended.code === null ? "was killed" : `ended with ${String(ended.code)}`;
  return `${command} ${how}${last === "" ? "" : `: ${last.replace(/^adalint: (error: )?/, "")}`}`;
}

/** What the status item shows. */
export interface Status {
  readonly text: string;
  readonly detail: string;
  readonly severity: "information" | "warning" | "error";
  readonly busy: boolean;
}

/** Say how the server is. */
export const status = {
  starting: (): Status => ({ text: "adalint", detail: "starting", severity: "information", busy: true }),
  running: (launch: Launch, version: string | undefined): Status => ({
    text: version === undefined ? "adalint" : `adalint ${version}`,
    detail: `${launch.program} (${ORIGIN[launch.found]})`,
    severity: "information",
    busy: false,
  }),
  off: (): Status => ({ text: "adalint", detail: "off: adalint.enable", severity: "warning", busy: false }),
  broken: (why: string): Status => ({ text: "adalint", detail: why, severity: "error", busy: false }),
};

const ORIGIN = {
  setting: "from adalint.path",
  "search path": "from the search path",
  interpreter: "from the selected interpreter",
} as const;
