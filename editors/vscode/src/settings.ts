/** What the server follows of the settings of an editor; the rest of the section is about this extension. */
export const FOLLOWED = [
  "select",
  "ignore",
  "extendSelect",
  "pedantic",
  "targetPeft",
  "targetTransformers",
  "targetAccelerate",
  "lang",
  "unsafeFixes",
  "config",
  "isolated",
  "debounce",
] as const;

/** Settings after whose change the server is started anew. */
export const RESTARTING = ["adalint.enable", "adalint.path"] as const;

/** Languages whose files the server reads. */
export const LANGUAGES = ["python", "json", "jsonc", "yaml", "markdown", "shellscript", "makefile", "dockerfile"] as const;

/**
 * Give what the server is told of the section `adalint`: only what somebody has set, so that the settings files have the
 * word everywhere else.
 */
export function told(section: unknown): Record<string, unknown> {
  if (typeof section !== "object" || section === null) {
    return {};
  }
  const given = section as Record<string, unknown>;
  return Object.fromEntries(
    FOLLOWED.filter((key) => given[key] !== undefined && given[key] !== null).map((key) => [key, given[key]]),
  );
}
