import "./dedup.js";

export { GG_TRACE, type GGTrace, GGTraceKey } from "./GG_TRACE.js";
