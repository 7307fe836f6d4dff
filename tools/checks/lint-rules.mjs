// Lint rules of this repository.
import { builtinRules } from 'eslint/use-at-your-own-risk';

/** SQL that changes a setting for longer than its transaction: the next user of the pooled connection would inherit it. */
const SESSION_SETTINGS = [
  /\bset\s+(?:session\s+)?"?app"?\./i,
  /\bset_config\s*\((?:[^()']|'(?:[^']|'')*')*,(?!\s*true\s*\))[^,)]*\)/i,
  /(?:^|;)\s*set\s+(?:session\s+)?(?:authorization|role|search_path|row_security)\b/i,
];

const sessionSetting = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { session: "Set a value for one transaction only: set_config('app.…', …, true)." },
  },
  create(context) {
    const check = (node, text) => {
      if (SESSION_SETTINGS.some(pattern => pattern.test(text))) context.report({ node, messageId: 'session' });
    };
    return {
      Literal: node => typeof node.value === 'string' && check(node, node.value),
      TemplateLiteral: node => check(node, node.quasis.map(part => part.value.cooked ?? '').join('x')),
    };
  },
};

const disableReason = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { reason: 'Say why: `eslint-disable-next-line rule -- reason`.' },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (/^\s*eslint-disable/.test(comment.value) && !/\s--\s+\S/.test(comment.value)) {
            context.report({ loc: comment.loc, messageId: 'reason' });
          }
        }
      },
    };
  },
};

const linesPerFunction = builtinRules.get('max-lines-per-function');

/** `max-lines-per-function`, except for the callback of `describe`: it is a folder of tests, not a function. */
const functionSize = {
  meta: linesPerFunction.meta,
  create(context) {
    const report = problem => {
      const { parent } = problem.node;
      const isDescribe = parent?.type === 'CallExpression' && /^describe\b/.test(context.sourceCode.getText(parent.callee));
      if (!isDescribe) context.report(problem);
    };
    return linesPerFunction.create(Object.create(context, { report: { value: report } }));
  },
};

export const packsPlugin = {
  meta: { name: 'packs' },
  rules: { 'session-setting': sessionSetting, 'disable-reason': disableReason, 'function-size': functionSize },
};
