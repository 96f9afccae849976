/**
 * The run directory: settings, provenance, metrics, events and checkpoints, safe against crashes.
 */
package dev.vauban.cli.run;
