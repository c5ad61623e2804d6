import "./dedup.js";

export { GGLog, GGLogKey } from "./GGLog.js";
export { GGScopeLog } from "./GGScopeLog.js";
export type { GGLevelMethods, GGLogArguments, GGLogEntry, GGLogger, GGLogLevel } from "./logger.js";
