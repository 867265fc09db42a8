/** Of the API as it is described: that of the package, which a test compares. */
export const apiVersion = "0.1.0";
