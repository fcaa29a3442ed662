"""The template engine: YAML trees and Markdown whose expressions cannot break what surrounds them."""
