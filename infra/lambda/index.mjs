// Lambda's runtime looks for .mjs and .js; Node.js 24 runs the rest as it is.
export { handler } from '../../consumer/src/lambda.ts';
