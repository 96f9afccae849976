/** Oracles outside of Vauban: services, programs, and models in other runtimes. */
package dev.vauban.cli.oracle;
