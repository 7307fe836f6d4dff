const ORDER = ['permissive', 'weak-copyleft', 'strong-copyleft', 'unknown'];

/** The category of an SPDX expression: the most liberal of alternatives, the strictest of parts that all apply. */
export function categorize(expression, categories) {
  const tokens = expression?.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;

  const operand = () => {
    const token = tokens[at++];
    if (token === '(') {
      const inner = alternatives();
      at++;
      return inner;
    }
    // An exception only ever adds permissions.
    if (tokens[at]?.toUpperCase() === 'WITH') at += 2;
    return ORDER.find(name => categories[name]?.includes(token)) ?? 'unknown';
  };
  const parts = () => {
    let category = operand();
    while (tokens[at]?.toUpperCase() === 'AND') {
      at++;
      category = pick(category, operand(), Math.max);
    }
    return category;
  };
  const alternatives = () => {
    let category = parts();
    while (tokens[at]?.toUpperCase() === 'OR') {
      at++;
      category = pick(category, parts(), Math.min);
    }
    return category;
  };
  return tokens.length === 0 ? 'unknown' : alternatives();
}

function pick(a, b, choose) {
  return ORDER[choose(ORDER.indexOf(a), ORDER.indexOf(b))];
}
