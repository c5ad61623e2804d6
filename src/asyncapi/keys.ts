/**
 * A name as a part of a key of the document, in which a dot separates the parts: letters, digits and `_` stay, other
 * characters become their code between hyphens. Two names never have the same key, and none has that of a member of every
 * object, such as `constructor`, at which readers of documents stumble.
 */
export function keyOf(name: string): string {
  const key = name.replace(/[^A-Za-z0-9_]/gu, codeOf);
  return key in {} ? key.replace(/^./, codeOf) : key;
}

function codeOf(character: string): string {
  return `-${character.codePointAt(0)!.toString(16)}-`;
}
