import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { PendingTable } from "../../src/connection/pendingTable.js";
import { seededRandom } from "../support/faultProxy.js";

interface Entry {
  readonly id: number;
}

/** A table beside a plain map that has the same entries, with all that is to be the same in both. */
class Model {
  readonly table = new PendingTable<Entry>();
  readonly entries = new Map<number, Entry>();
  lastNumber: number;
  readonly #removed: number[] = [];

  constructor(firstNumber = 1) {
    this.lastNumber = firstNumber - 1;
  }

  /** The next numbers, of which some may be left out. */
  add(count: number, step = 1): void {
    for (let i = 0; i < count; i++) {
      this.lastNumber += step;
      const entry = { id: this.lastNumber };
      this.table.set(entry.id, entry);
      this.entries.set(entry.id, entry);
    }
  }

  delete(number: number): void {
    const { table, entries } = this;
    if (table.delete(number) !== entries.delete(number)) expect.fail(`${number} is there in one of them alone`);
    if (table.get(number) || table.delete(number)) expect.fail(`${number} is still there`);
    this.#removed.push(number);
  }

  /** Compares all of the entries, and some of what is not there. */
  check(): void {
    const { table, entries, lastNumber } = this;
    expect(table.size).toBe(entries.size);
    expect([...table.values()]).toEqual([...entries.values()]);
    for (const [number, entry] of entries) if (table.get(number) !== entry) expect.fail(`${number} is not found`);
    const removed = this.#removed.slice(-100);
    const others = [0, -0, -1, 0.5, 1.5, Number.NaN, 1 / 0, -1 / 0, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, lastNumber + 1];
    // The same in their lowest bits.
    const near = [...entries.keys()]
      .slice(0, 20)
      .flatMap((number) => [
        -number,
        number + 0.5,
        number - 2 ** 32,
        ...Array.from({ length: 33 }, (_, bit) => number + 2 ** bit),
      ]);
    for (const number of [...removed, ...others, ...near]) {
      const found = table.get(number);
      if (found !== entries.get(number)) expect.fail(`${number} gives ${found?.id}`);
      if (!entries.has(number) && table.delete(number)) expect.fail(`${number} is deleted`);
    }
    expect(table.size).toBe(entries.size);
  }
}

/** Which of the present numbers is deleted next. */
const ORDERS: Readonly<Record<string, (numbers: readonly number[], random: () => number) => number | undefined>> = {
  "first in, first out": (numbers) => numbers[0],
  "last in, first out": (numbers) => numbers.at(-1),
  "any order": (numbers, random) => numbers[Math.floor(random() * numbers.length)],
  "the neighbours of the first": (numbers) => numbers[1] ?? numbers[0],
};

/** The first numbers, round the places where bits end. */
const STARTS = [1, 5, 1_023, 2 ** 31 - 40, 2 ** 32 - 40, 2 ** 40 + 3];

describe.each(Object.entries(ORDERS))("a table of what is pending, deleted in this order: %s", (_name, choose) => {
  it.each(STARTS)("has what a map has, with numbers from %d on", (start) => {
    const random = seededRandom(start);
    const model = new Model(start);
    const deleteSome = (count: number) => {
      for (let i = 0; i < count && model.entries.size > 0; i++) {
        model.delete(choose([...model.entries.keys()], random) as number);
      }
    };
    for (let step = 0; step < 300; step++) {
      // It is mostly about as full as before, and at times empty.
      if (random() < 0.5) model.add(1 + Math.floor(random() * 12), random() < 0.9 ? 1 : 1 + Math.floor(random() * 40));
      else deleteSome(random() < 0.05 ? model.entries.size : 1 + Math.floor(random() * 12));
      model.check();
    }
    deleteSome(model.entries.size);
    model.check();
  });

  it("keeps stragglers while thousands pass", () => {
    const random = seededRandom(7);
    const model = new Model();
    for (let round = 0; round < 30; round++) {
      // Each round leaves one that stays; those of earlier rounds go in the end, in this order as well.
      model.add(1);
      const passing = new Set<number>();
      for (let i = 0; i < 300; i++) {
        model.add(1);
        passing.add(model.lastNumber);
        if (passing.size < 5) continue;
        const number = choose([...passing], random) as number;
        model.delete(number);
        passing.delete(number);
      }
      for (const number of passing) model.delete(number);
      if (round % 5 === 0) model.check();
    }
    model.check();
    expect(model.entries.size).toBe(30);
    while (model.entries.size > 0) model.delete(choose([...model.entries.keys()], random) as number);
    model.check();
  });

  it("has all of a burst, and goes on after it", () => {
    const random = seededRandom(11);
    const model = new Model();
    for (const burst of [9, 100, 1_500]) {
      model.add(burst);
      model.check();
      while (model.entries.size > 0) model.delete(choose([...model.entries.keys()], random) as number);
      model.check();
      model.add(3);
      model.check();
      model.delete(model.lastNumber - 1);
      model.check();
    }
  });
});

/** Which of the numbers from 1 to 100,000 stay when all others go. */
const STRAGGLERS: Readonly<Record<string, (index: number) => number>> = {
  "the first": (index) => 1 + index,
  "the last": (index) => 100_000 - index,
  "some of all the range": (index) => 1 + 9_973 * index,
  "some whose places are the same in a shorter ring": (index) => 7 + 8_192 * index,
};

describe.each(Object.entries(STRAGGLERS))("a table after a burst, of which these stay: %s", (_name, straggler) => {
  it.each(["up", "down"])("has what a map has, while the others are deleted from one end %s", (direction) => {
    const model = new Model();
    model.add(100_000);
    const stay = new Set(Array.from({ length: 10 }, (_, index) => straggler(index)));
    let next = 50_000;
    for (let i = 1; i <= 100_000; i++) {
      const number = direction === "up" ? i : 100_001 - i;
      if (!stay.has(number)) model.delete(number);
      if (model.entries.size > next) continue;
      model.check();
      next /= 2;
    }
    model.check();
    expect(new Set(model.entries.keys())).toEqual(stay);
    for (const count of [3, 40, 2_000]) {
      model.add(count);
      model.check();
      for (let i = 0; i < count; i++) model.delete(model.lastNumber - i);
      model.check();
    }
    for (const number of stay) model.delete(number);
    model.check();
    expect(model.table.size).toBe(0);
  });
});

describe("what is no number of an entry", () => {
  const fill = (count: number, remaining: number) => {
    const model = new Model();
    model.add(count);
    for (const number of [...model.entries.keys()].slice(remaining)) model.delete(number);
    return model;
  };

  it.each([
    ["new", 0, 0],
    ["used", 3, 3],
    ["full", 8, 8],
    ["emptied", 8, 0],
    ["shrunk", 5_000, 5],
    ["emptied after a burst", 5_000, 0],
  ])("is not found in a table that is %s", (_, count, remaining) => {
    const model = fill(count, remaining);
    for (const none of [undefined, null, Number.NaN, "", "1", {}, true] as never[]) {
      expect(model.table.get(none)).toBeUndefined();
      expect(model.table.delete(none)).toBe(false);
      expect(model.table.size).toBe(remaining);
    }
    model.check();
  });
});

describe("the memory of a table", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const heap = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const MB = 1_024 * 1_024;

  it("is that of what is pending: none of what was deleted is kept, nor the room of a burst that is over", () => {
    const table = new PendingTable<Entry>();
    const before = heap();
    const burst = Array.from({ length: 500_000 }, (_, index) => ({ id: index + 1 }));
    for (const entry of burst) table.set(entry.id, entry);
    burst.length = 0;
    expect(heap() - before).toBeGreaterThan(16 * MB);
    for (const { id } of [...table.values()]) table.delete(id);
    expect(heap() - before).toBeLessThan(MB);
    expect(table.size).toBe(0);
  });

  it("does not keep the room of a burst either while some of it stay", () => {
    const table = new PendingTable<Entry>();
    const before = heap();
    for (let id = 1; id <= 500_000; id++) table.set(id, { id });
    expect(heap() - before).toBeGreaterThan(16 * MB);
    for (let id = 1; id <= 500_000; id++) if (id % 50_000) table.delete(id);
    expect(heap() - before).toBeLessThan(MB);
    expect(table.values().map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, i) => 50_000 * (i + 1)));
  });

  it("does not grow with what passes while one stays", () => {
    const table = new PendingTable<Entry>();
    const straggler = { id: 1 };
    table.set(1, straggler);
    const before = heap();
    for (let number = 2; number < 1_000_000; number++) {
      table.set(number, { id: number });
      if (number > 65) table.delete(number - 64);
    }
    expect(heap() - before).toBeLessThan(MB);
    expect(table.get(1)).toBe(straggler);
    expect(table.size).toBe(65);
  });
});
