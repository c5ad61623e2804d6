import { element } from "../dom.js";

/** How many names are listed. */
const LISTED = 3;

/** A name, whose writing direction does not change the text around it. */
export const nameOf = (name: string): HTMLElement => element("bdi", {}, name);

/** "Ann", "Ann and Bo", "Ann, Bo and Cy", "Ann, Bo and 2 others". */
export function listOfNames(names: readonly string[]): (Node | string)[] {
  const isLong = names.length > LISTED;
  const listed: (Node | string)[] = names.slice(0, isLong ? LISTED - 1 : LISTED).map(nameOf);
  if (isLong) listed.push(`${names.length - LISTED + 1} others`);
  return listed.flatMap((one, at) => {
    if (at === 0) return [one];
    return [at === listed.length - 1 ? " and " : ", ", one];
  });
}
