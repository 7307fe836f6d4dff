import type { PackType } from '@packs/domain';

interface TemplateFile {
  readonly file: string;
  readonly content: string;
  readonly executable?: true;
}

interface Kind {
  readonly kind: string;
  readonly spec: string;
  readonly files: readonly TemplateFile[];
}

const KINDS: Readonly<Record<PackType, Kind>> = {
  task: {
    kind: 'TaskPack',
    spec: `  parameters:
    - name: target
      type: string
      description: What to work on.
      required: true
  steps:
    - id: check
      name: Check the target
      run: [scripts/check.sh]
`,
    files: [{ file: 'scripts/check.sh', content: '#!/bin/sh\nset -eu\necho "checking ${TARGET:?}"\n', executable: true }],
  },
  policy: {
    kind: 'PolicyPack',
    spec: `  defaults:
    severity: medium
    action: warn
  rules:
    - id: image-is-signed
      title: Images are signed
      severity: high
      expression: subject.signatures.exists(s, s.verified)
      remediation: Sign the image before it is deployed.
`,
    files: [],
  },
  analyzer: {
    kind: 'AnalyzerPack',
    spec: `  entrypoint:
    runtime: node
    file: src/analyze.mjs
  ecosystems: [npm]
  inputs:
    - id: source
      patterns: ['**/package.json']
  outputs:
    - id: findings
      mediaType: application/json
  permissions:
    network: false
    filesystem: read
`,
    files: [{ file: 'src/analyze.mjs', content: 'console.log(JSON.stringify({ findings: [] }));\n' }],
  },
  bundle: {
    kind: 'BundlePack',
    spec: `  members:
    - packId: example-member
      version: ^1.0.0
`,
    files: [],
  },
};

/** The files a new pack starts with; they validate as they are. */
export function packTemplate(type: PackType, packId: string): readonly TemplateFile[] {
  const { kind, spec, files } = KINDS[type];
  const manifest = `apiVersion: stellaops.io/pack.v1
kind: ${kind}
metadata:
  packId: ${JSON.stringify(packId)}
  name: ${JSON.stringify(packId)}
  version: 0.1.0
  description: Say in a sentence what this pack is for.
spec:
${spec}`;
  return [{ file: 'pack.yaml', content: manifest }, { file: 'README.md', content: `# ${packId}\n` }, ...files];
}
