import { withPrefix } from "./GGMetricKey.js";

/** Groups metric keys under a common prefix. */
export const GGMetrics = {
  /** Builds the keys inside `build`, each named `prefix` + its own name. */
  define<const T extends object>(prefix: string, build: () => T): Readonly<T> {
    return Object.freeze(withPrefix(prefix, build));
  },
};
