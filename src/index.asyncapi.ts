/** To come.
 *
 * @module
 */
export {};
