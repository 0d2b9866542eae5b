// Work over a list of immutable things that is hardly ever another list than at the last call: its result is kept
// until an element is another one, so that such work does not grow with the cluster.

/** `make`, called only when the list differs from the one of the call before. */
export function madeOncePerList<Item extends object, Result>(
  make: (items: readonly Item[]) => Result,
): (items: readonly Item[]) => Result {
  // By the first element: lists of several clusters do not drive each other out, and none is kept when it is gone.
  const last = new WeakMap<Item, { readonly items: readonly Item[]; readonly result: Result }>();
  return (items) => {
    const [first] = items;
    if (first === undefined) return make(items);
    const known = last.get(first);
    if (known !== undefined && isSameList(known.items, items)) return known.result;
    const result = make(items);
    last.set(first, { items, result });
    return result;
  };
}

function isSameList(a: readonly object[], b: readonly object[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
