import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { contenders } from "../contenders.js";
import { NODE } from "./node.js";
import { picture } from "./picture.js";

const at = (path) => new URL(path, import.meta.url);

/** Writes this Node's table of `results.json`, which has one of each major version, and the picture that the README shows. */
export function writeReport(results, settings) {
  const tables = read("../results.json");
  tables[NODE] = { ...reportOf(results, settings), contenders: describe(results) };
  write("../results.json", tables);
  writeFileSync(at("../results.svg"), picture(tables, contenders));
}

/** Writes `results.nodes.json`: the workloads of several nodes. */
export function writeNodesReport(results, settings) {
  write("../results.nodes.json", reportOf(results, settings));
}

function reportOf(results, settings) {
  const machine = { cpu: cpus()[0].model.trim(), cores: cpus().length, node: process.version };
  return { date: new Date().toISOString().slice(0, 10), machine, versions: versions(), settings, results };
}

/** The name of each contender that was measured, and what it leaves out. */
function describe(results) {
  const measured = new Set(Object.values(results).flatMap(Object.keys));
  return Object.fromEntries(
    Object.entries(contenders)
      .filter(([id]) => measured.has(id))
      .map(([id, { name, leavesOut }]) => [id, { name, leavesOut }]),
  );
}

function read(path) {
  return JSON.parse(readFileSync(at(path), "utf8"));
}

function write(path, report) {
  writeFileSync(at(path), `${JSON.stringify(report, null, 2)}\n`);
}

function versions() {
  const own = read("../../package.json");
  const { packages } = read("../package-lock.json");
  const asked = Object.keys(packages[""].dependencies);
  return {
    [own.name]: own.version,
    ...Object.fromEntries(asked.map((name) => [name, packages[`node_modules/${name}`].version])),
  };
}
