import "./dedup.js";

export * from "./index.browser.js";
export { GGHttp } from "./server/GGHttp.js";
export { GGHttpMetrics } from "./server/GGHttpMetrics.js";
export { GGHttpServer, type GGHttpServerConfig } from "./server/GGHttpServer.js";
