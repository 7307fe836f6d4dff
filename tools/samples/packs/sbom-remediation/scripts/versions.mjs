/** Whether version `a` comes before `b`: numbers by value, and a pre-release before its release. */
export function isBefore(a, b) {
  const [left, right] = [a, b].map(split);
  for (let at = 0; at < Math.max(left.numbers.length, right.numbers.length); at++) {
    const difference = (left.numbers[at] ?? 0) - (right.numbers[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return left.pre !== '' && (right.pre === '' || left.pre < right.pre);
}

function split(version) {
  const [core, pre = ''] = version.replace(/^v/, '').split('+', 1)[0].split(/-(.*)/s, 2);
  return { numbers: core.split('.').map(Number), pre };
}
