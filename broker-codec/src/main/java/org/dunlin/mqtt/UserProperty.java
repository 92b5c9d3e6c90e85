package org.dunlin.mqtt;

/** One name and value of an MQTT 5 User Property; both may be empty, and a name may stand more than once. */
public record UserProperty(String name, String value) {}
