import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

import type { Launch } from "./command";

/** How a server ended. */
export interface Ended {
  /** Why it could not even be started. */
  readonly error: string | undefined;
  readonly code: number | null;
  /** The last that it wrote to its error stream. */
  readonly errors: string;
}

/** A server that was started, or at least asked to. */
export interface Started {
  readonly process: ChildProcessWithoutNullStreams;
  /** Settled when it ends, or cannot be started; never rejected. */
  readonly ended: Promise<Ended>;
}

const KEPT = 4000;

/** Start a server, and keep the end of what it writes to its error stream. */
export function start(launch: Launch, folder: string | undefined, environment: NodeJS.ProcessEnv): Started {
  const child = spawn(launch.program, launch.args, {
    cwd: folder,
    // `python -m` would otherwise import what lies in the workspace.
    env: { ...environment, PYTHONSAFEPATH: "1" },
    windowsHide: true,
  });
  let errors = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    errors = (errors + text).slice(-KEPT);
  });
  // What is written to a server that is gone fails on the stream too; the end of the process says it better.
  child.stdin.on("error", () => undefined);
  const ended = new Promise<Ended>((resolve) => {
    child.on("error", (error) => {
      resolve({ error: error.message, code: null, errors });
    });
    child.on("close", (code) => {
      resolve({ error: undefined, code, errors });
    });
  });
  return { process: child, ended };
}
