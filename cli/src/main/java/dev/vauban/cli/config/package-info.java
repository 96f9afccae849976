/** Typed settings and their merge: a flag beats the environment beats a file beats the default. */
package dev.vauban.cli.config;
