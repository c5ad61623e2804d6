import { expect, it } from "vitest";
import { brokenLinks, documentsWithLinks } from "./links.js";

it.each(documentsWithLinks())("has no link that leads nowhere in %s", (path) => {
  expect(brokenLinks(path)).toEqual([]);
});
