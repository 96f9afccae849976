/** Tests of the gates' rules. */
package dev.vauban.bench.gates;
