/**
 * The keywords for the properties of an object. Readers of documents stumble at properties with the name of a member of every
 * object, and at `$ref`: these are described by a pattern that only their name matches.
 */
export function propertiesOf(
  properties: Iterable<readonly [string, unknown]>,
  patterns: Iterable<readonly [string, unknown]> = [],
): { readonly properties: Record<string, unknown>; readonly patternProperties?: Record<string, unknown> } {
  const named: (readonly [string, unknown])[] = [];
  const byPattern = [...patterns];
  for (const [name, schema] of properties) {
    if (name in {} || name === "$ref") byPattern.push([`^${name.replace("$", "\\$")}$`, schema]);
    else named.push([name, schema]);
  }
  return {
    properties: Object.fromEntries(named),
    ...(byPattern.length > 0 && { patternProperties: Object.fromEntries(byPattern) }),
  };
}
