import { mergeConfig } from "vitest/config";
import root from "../../vitest.config.js";

/** Runs the fixtures, in which tests fail on purpose. */
const config = mergeConfig(root, {});
config.test = { include: ["test/testkit/*.fixture.ts"], reporters: ["json"] };
export default config;
