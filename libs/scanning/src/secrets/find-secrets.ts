import { lintSource } from '@secretlint/core';
import { version } from '@secretlint/core/package.json';
import { secretLintProfiler } from '@secretlint/profiler';
import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { version as presetVersion } from '@secretlint/secretlint-rule-preset-recommend/package.json';
import { canonicalDigest, SCAN_FINDINGS_MAX, type ScanEngine, type ScanFinding } from '@packs/domain';
import { OWN_FORMATS, OWN_RULES } from './own-rules';

/** Part of a text file, or all of it. */
export interface TextWindow {
  readonly path: string;
  /** The number of its first line. */
  readonly line: number;
  /** UTF-8. */
  readonly bytes: Uint8Array;
}

const PREFIX = '@secretlint/secretlint-rule-';

/** A comment in a pack is the publisher's word, and switches nothing off. */
const LEFT_OUT = new Set([`${PREFIX}filter-comments`]);

const CONFIG = {
  rules: [...rules.filter(({ meta }) => !LEFT_OUT.has(meta.id)), ...OWN_RULES].map(rule => ({ id: rule.meta.id, rule })),
};

/** The version of the rules is that of the preset, and a digest of which of them are on and of our own. */
export const SECRET_ENGINE: ScanEngine = {
  name: 'secretlint',
  version,
  rules: `${presetVersion} ${canonicalDigest([CONFIG.rules.map(({ id }) => id), OWN_FORMATS])}`,
};

// It would keep a record of every rule and file for as long as the process lives.
secretLintProfiler.setEnabled(false);

/** Where something in the windows looks like a secret. Of what it looks like nothing is said but the rule. */
export async function findSecrets(windows: readonly TextWindow[]): Promise<ScanFinding[]> {
  const found: ScanFinding[] = [];
  for (const { path, line, bytes } of windows) {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    const { messages } = await lintSource({
      source: { ...namedAs(path), content, contentType: 'text' },
      options: { config: CONFIG, noPhysicFilePath: true },
    });
    for (const { ruleId, messageId, loc } of messages) {
      if (found.length > SCAN_FINDINGS_MAX) return found;
      found.push({ path, line: line + loc.start.line - 1, rule: messageId ? `${shortened(ruleId)}/${messageId}` : ruleId });
    }
  }
  return found;
}

function shortened(id: string): string {
  return id.startsWith(PREFIX) ? id.slice(PREFIX.length) : id;
}

/**
 * The file's own name: some rules look at that of a `.npmrc` or a `.json`. Never one that names a file here: the rule for `.p12` would open it.
 */
function namedAs(path: string): { filePath: string; ext: string } {
  const name = /[^/!]+(?=!*$)/.exec(path)?.[0] ?? 'file';
  const ext = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0].toLowerCase() ?? '';
  return { filePath: `in-bundle:/${name}`, ext: ext === '.p12' ? '' : ext };
}
