/** Tests of the commands. */
package dev.vauban.bench;
