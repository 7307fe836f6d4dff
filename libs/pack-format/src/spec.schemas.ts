/** What each kind of pack says in `spec`: definitions of `packManifestSchema`, whose other definitions they refer to. */

const ref = (name: string): { readonly $ref: string } => ({ $ref: `#/$defs/${name}` });
const argv = { type: 'array', minItems: 1, maxItems: 64, items: { type: 'string', minLength: 1, maxLength: 4096 } } as const;

/** Steps the TaskRunner carries out in order of their needs. */
export const taskSpec = {
  task: {
    type: 'object',
    required: ['steps'],
    additionalProperties: false,
    properties: {
      parameters: { type: 'array', maxItems: 64, items: ref('parameter') },
      approvals: { type: 'array', maxItems: 16, items: ref('approval') },
      steps: { type: 'array', minItems: 1, maxItems: 256, items: ref('step') },
      outputs: { type: 'array', maxItems: 64, items: ref('taskOutput') },
    },
  },
  parameter: {
    type: 'object',
    required: ['name', 'type'],
    additionalProperties: false,
    properties: {
      name: ref('id'),
      type: { enum: ['string', 'number', 'boolean', 'secret'] },
      description: ref('text'),
      required: { type: 'boolean' },
      default: { type: ['string', 'number', 'boolean'] },
      enum: { type: 'array', minItems: 1, maxItems: 64, items: { type: ['string', 'number'] } },
    },
  },
  approval: {
    type: 'object',
    required: ['id', 'message'],
    additionalProperties: false,
    properties: { id: ref('id'), message: ref('text'), approvers: { type: 'integer', minimum: 1, maximum: 16 } },
  },
  step: {
    type: 'object',
    required: ['id'],
    additionalProperties: false,
    properties: {
      id: ref('id'),
      name: ref('title'),
      run: { ...argv, description: 'Program of the bundle or of the runner, and its arguments.' },
      uses: {
        type: 'string',
        pattern: '^[a-z0-9]+(?:[./_-][a-z0-9]+)*(?:@[A-Za-z0-9.+-]+)?$',
        maxLength: 192,
        description: 'Action of the runner.',
      },
      approval: { ...ref('id'), description: 'Waits for this approval.' },
      with: { type: 'object', maxProperties: 64, description: 'Inputs of the action.' },
      env: { type: 'object', maxProperties: 64, additionalProperties: ref('text') },
      needs: { type: 'array', maxItems: 64, items: ref('id') },
      when: ref('text'),
      timeoutSeconds: { type: 'integer', minimum: 1, maximum: 86_400 },
      retries: { type: 'integer', minimum: 0, maximum: 10 },
      continueOnError: { type: 'boolean' },
    },
    oneOf: ['run', 'uses', 'approval'].map(way => ({ required: [way] })),
  },
  taskOutput: {
    type: 'object',
    required: ['name', 'step'],
    additionalProperties: false,
    properties: { name: ref('id'), step: ref('id'), path: ref('path'), description: ref('text') },
  },
};

/** Rules the policy engine evaluates. */
export const policySpec = {
  policy: {
    type: 'object',
    required: ['rules'],
    additionalProperties: false,
    properties: {
      defaults: { type: 'object', additionalProperties: false, properties: { severity: ref('severity'), action: ref('action') } },
      rules: { type: 'array', minItems: 1, maxItems: 1024, items: ref('rule') },
    },
  },
  rule: {
    type: 'object',
    required: ['id', 'title'],
    additionalProperties: false,
    properties: {
      id: ref('id'),
      title: ref('title'),
      description: ref('text'),
      severity: ref('severity'),
      action: ref('action'),
      match: { type: 'object', maxProperties: 32, description: 'Facts a subject must have for the rule to be looked at.' },
      expression: { type: 'string', minLength: 1, maxLength: 4096 },
      file: { ...ref('path'), description: 'File of the bundle that has the expression.' },
      remediation: ref('text'),
      references: { type: 'array', maxItems: 16, items: { type: 'string', minLength: 1, maxLength: 1024 } },
    },
    oneOf: ['expression', 'file'].map(way => ({ required: [way] })),
  },
};

/** A program the scanner runs on what it finds. */
export const analyzerSpec = {
  analyzer: {
    type: 'object',
    required: ['entrypoint', 'ecosystems', 'inputs', 'outputs'],
    additionalProperties: false,
    properties: {
      entrypoint: {
        type: 'object',
        required: ['runtime', 'file'],
        additionalProperties: false,
        properties: {
          runtime: { enum: ['node', 'python', 'dotnet', 'wasm', 'native'] },
          file: ref('path'),
          args: { ...argv, minItems: 0 },
        },
      },
      ecosystems: { type: 'array', minItems: 1, maxItems: 64, items: ref('name') },
      inputs: { type: 'array', minItems: 1, maxItems: 64, items: ref('analyzerInput') },
      outputs: { type: 'array', minItems: 1, maxItems: 64, items: ref('analyzerOutput') },
      permissions: {
        type: 'object',
        additionalProperties: false,
        properties: { network: { type: 'boolean' }, filesystem: { enum: ['none', 'read', 'write'] } },
      },
      limits: {
        type: 'object',
        additionalProperties: false,
        properties: {
          timeoutSeconds: { type: 'integer', minimum: 1, maximum: 86_400 },
          memoryMiB: { type: 'integer', minimum: 16, maximum: 65_536 },
        },
      },
    },
  },
  analyzerInput: {
    type: 'object',
    required: ['id'],
    additionalProperties: false,
    properties: {
      id: ref('id'),
      description: ref('text'),
      patterns: { ...argv, description: 'File name patterns.' },
      mediaType: ref('title'),
    },
  },
  analyzerOutput: {
    type: 'object',
    required: ['id', 'mediaType'],
    additionalProperties: false,
    properties: { id: ref('id'), description: ref('text'), mediaType: ref('title') },
  },
};

/** Packs that are released together. */
export const bundleSpec = {
  bundle: {
    type: 'object',
    required: ['members'],
    additionalProperties: false,
    properties: { members: { type: 'array', minItems: 1, maxItems: 128, items: ref('member') } },
  },
  member: {
    type: 'object',
    required: ['packId', 'version'],
    additionalProperties: false,
    properties: { packId: ref('packId'), version: ref('range'), description: ref('text') },
  },
};
