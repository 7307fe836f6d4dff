#!/bin/sh
# Prints a plan for people: summarize.sh <plan.json>
set -eu
exec node -e '
  const { severity, upgrades } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
  console.log(`${upgrades.length} upgrades for findings of severity ${severity} and above`);
  for (const { name, from, to, advisories } of upgrades) console.log(`  ${name}: ${from} -> ${to} (${advisories.join(", ")})`);
' "${1:?plan.json}"
