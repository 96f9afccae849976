/**
 * The papers' tables: which methods, which evaluations, what was published, and how they are run.
 */
package dev.vauban.cli.reproduce;
