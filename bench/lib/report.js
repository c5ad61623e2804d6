import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { contenders } from "../contenders.js";
import { picture } from "./picture.js";

const at = (path) => new URL(path, import.meta.url);

/** Writes `results.json` and the picture that the README shows. */
export function writeReport(results, settings) {
  const report = reportOf(results, settings);
  write("../results.json", report);
  writeFileSync(at("../results.svg"), picture(report, contenders));
}

/** Writes `results.nodes.json`: the workloads of several nodes. */
export function writeNodesReport(results, settings) {
  write("../results.nodes.json", reportOf(results, settings));
}

function reportOf(results, settings) {
  const machine = { cpu: cpus()[0].model.trim(), cores: cpus().length, node: process.version };
  return { date: new Date().toISOString().slice(0, 10), machine, versions: versions(), settings, results };
}

function write(path, report) {
  writeFileSync(at(path), `${JSON.stringify(report, null, 2)}\n`);
}

function versions() {
  const own = JSON.parse(readFileSync(at("../../package.json"), "utf8"));
  const { packages } = JSON.parse(readFileSync(at("../package-lock.json"), "utf8"));
  const asked = Object.keys(packages[""].dependencies);
  return {
    [own.name]: own.version,
    ...Object.fromEntries(asked.map((name) => [name, packages[`node_modules/${name}`].version])),
  };
}
