/** A function that makes something once for each key, and gives the same ever after. Forgets it with the key. */
export function oncePer<TKey extends object, T>(make: (key: TKey) => T): (key: TKey) => T {
  const made = new WeakMap<TKey, T>();
  return (key) => {
    let value = made.get(key);
    if (!value) {
      value = make(key);
      made.set(key, value);
    }
    return value;
  };
}
